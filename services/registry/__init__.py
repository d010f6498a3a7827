"""The registry (登记): what is proposed becomes what is in force."""
