"""The server: takes streams of indexed audio and leaves one WAV per spoken segment."""
