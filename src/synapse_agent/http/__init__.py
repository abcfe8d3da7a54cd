"""What the handlers share about requests and answers: checks, queries, pages, the OpenAPI document."""
