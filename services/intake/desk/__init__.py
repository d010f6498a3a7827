"""intake.desk (受理台): one desk for each area merges reports, numbers cases, remembers what is over."""
