"""Long logs and many tails: what they cost. Server and client are processes of their own."""
