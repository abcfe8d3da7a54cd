"""Requests and answers: routes, checks, queries, pages, the OpenAPI document."""
