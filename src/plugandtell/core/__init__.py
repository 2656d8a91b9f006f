"""The rules of the program, pure: no clock, no I/O, no logging, no asyncio.

Every machine here is `feed(input) -> list[event]` plus `flush()`. Audio time is counted in samples.
"""
