"""Developer tools: the generator (`codegen`), the spec's tools (`spec`) and the list of public names."""
