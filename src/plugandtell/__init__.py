"""PlugAndTell records speech and tells you what was said."""
