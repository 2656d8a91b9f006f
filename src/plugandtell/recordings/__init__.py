"""What lies in a folder of recordings: found, shown, played, copied and removed again."""
