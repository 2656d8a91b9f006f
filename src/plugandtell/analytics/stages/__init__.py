"""The four services: see `plugandtell.analytics.service`."""
