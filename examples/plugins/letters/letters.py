"""A plugin: `count` runs as a job; `deploy` is a job that makes the application that `ask` calls.

synapse-agent serve --plugins examples/plugins

client.create_plugin_release("letters", "1.0.0")
client.run_plugin_release("letters@1.0.0", "count", {"text": "to be"})
"""

import os
from collections import Counter


def count(text: str) -> None:
    for letter, times in sorted(Counter(text.replace(" ", "")).items()):
        print(letter, times)


def deploy() -> None:
    from ray import serve

    @serve.deployment
    class Letters:
        async def __call__(self, request):
            params = await request.json()
            return Counter(params["text"].replace(" ", ""))

    name = os.environ["SYNAPSE_PLUGIN_RELEASE_CODE"]
    serve.run(Letters.bind(), name=name, route_prefix=f"/{name}")
