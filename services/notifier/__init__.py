"""Who hears of a case, how and when (通知): the fan chooses, the desk of each recipient delivers."""
