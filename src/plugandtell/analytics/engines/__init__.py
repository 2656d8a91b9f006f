"""What turns speech into text, behind one port: see `speech_to_text`."""
