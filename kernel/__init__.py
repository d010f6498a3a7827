"""What runs a processor: ports, protocol of the journal, hosts."""
