"""The clocks of a case (时限): what is due when, why, and who is told when it is late.

sla.clock follows the events of router.case. The state's row is the law (`rules.clocks.ROWS`): after any
case event exactly its clocks run. A breach is asked of the case and is the case's word alone.
"""
