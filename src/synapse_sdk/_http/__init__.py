"""The one place that knows httpx and httpcore: clients, TLS, the connection pool, and their errors.

Every request goes through a plain `httpx.Client` or `httpx.AsyncClient` (ours or an injected one of httpx or
httpx2), and through `HTTPTransport.handle_request`, so that tools that watch or mock httpx see it.
"""
