"""The live terminal: a screen that shows what a client and a server are doing, and the keys that switch it."""
