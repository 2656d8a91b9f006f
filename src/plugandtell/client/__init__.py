"""The client: hears, decides what is speech, and sends it."""
