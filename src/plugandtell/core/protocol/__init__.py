"""The wire protocol, version 1: messages, codec, and the two ends as machines. See docs/protocol.md."""
