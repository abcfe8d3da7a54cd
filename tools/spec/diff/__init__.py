"""Compare two documents: what changed between them, and whom each change breaks.

`shapes` reduces a schema to what it accepts, however it is written; `schemas` compares two of these for one
direction: a request may accept more, a response may promise more. `api` reads the operations of any OpenAPI
3.0 or 3.1 document, and `wire` compares them. `python` compares what the generator makes of both.
"""
