"""A server in several processes: one takes connections in, and hands each to the one that owns its stream."""
