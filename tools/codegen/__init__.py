"""Generate `generated/synapse_agent_api` from `spec/openapi.yaml` and `templates/`.

openapi-python-client parses the spec and the templates lay the code out. These modules do what a template is
too clumsy for: which parameters a method takes and their types, how a response is decoded, and docstrings.

The text of a spec is untrusted. `tools.spec.document` and the sound rules of `tools.spec.rules` refuse what
would go wrong. The rest reaches the code only as an identifier that openapi-python-client made, through
`literal()`, or through `wrapped()`, which use the stock escaping filters. `refuse_code` checks the result.
"""
