"""Call analytics: what was said in a recording, and what it tells. See docs/analytics.md."""
