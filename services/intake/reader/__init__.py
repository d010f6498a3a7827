"""intake.reader (读件): one report for each source and id; accepted and located in every layer, or dead."""
