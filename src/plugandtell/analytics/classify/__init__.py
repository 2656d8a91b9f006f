"""What is said, judged: how the caller feels and what the caller wants.

Sentence embeddings with small heads, rules, or a chat model of somebody else's: each judges texts one by one; what its
judgements make of a whole call is decided in one place for all of them (`call_mood`, `call_intent`).
"""
