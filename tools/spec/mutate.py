"""Show that spec, client and agent can't change apart from each other unnoticed.

Each mutation changes spec/openapi.yaml in a copy of the tree, and is looked for twice:

- by `make check-generated`, with the spec changed and the client not;
- by the contract tests, with the client generated anew from the changed spec, and the agent left as it is.

Prints a table of what found which, and exits with 1 if a mutation was found by nothing, or if anything is
found where nothing was changed.

    python -m tools.spec.mutate                  all of them
    python -m tools.spec.mutate enum security    those with one of these words in their name
"""

from __future__ import annotations

import copy
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple
from xml.etree import ElementTree

from ruamel.yaml import YAML

ROOT = Path(__file__).resolve().parents[2]
COPIED = ("examples", "generated", "pyproject.toml", "spec", "src", "templates", "tests", "tools")
REFUSED = "make generate"
METHODS = ("get", "put", "post", "patch", "delete")
# The contract tests that know spec/openapi.yaml, by what they prove.
CLIENT_CHECKS = {
    "test_client_requests": "client → spec",
    "test_client_answers": "client → spec",
    "test_client_errors": "client → spec",
    "test_client_helpers": "client → spec",
    "test_mock_server": "client → Prism",
    "test_parity": "parity",
}
AGENT_CHECKS = {
    "test_agent": "agent → spec: schemathesis",
    "test_agent_answers": "agent → spec: answers",
    "test_agent_credentials": "agent → spec: credentials",
}

Spec = dict[str, Any]
MUTATIONS: dict[str, Callable[[Spec], None]] = {}


def mutation(name: str) -> Callable[[Callable[[Spec], None]], Callable[[Spec], None]]:
    def register(change: Callable[[Spec], None]) -> Callable[[Spec], None]:
        MUTATIONS[name] = change
        return change

    return register


def operation(spec: Spec, name: str) -> dict[str, Any]:
    found: dict[str, Any]
    (found,) = [
        item[method]
        for item in spec["paths"].values()
        for method in METHODS
        if method in item and item[method]["operationId"] == name
    ]
    return found


def schema(spec: Spec, name: str) -> dict[str, Any]:
    found: dict[str, Any] = spec["components"]["schemas"][name]
    return found


def rename(mapping: dict[str, Any], old: str, new: str) -> None:
    mapping[new] = mapping.pop(old)


# The mutations


@mutation("a field of an answer is renamed (Job.status → state)")
def _(spec: Spec) -> None:
    job = schema(spec, "Job")
    rename(job["properties"], "status", "state")
    job["required"] = ["type", "state", "entrypoint"]


@mutation("a field of a body is renamed (num_cpus → cpus)")
def _(spec: Spec) -> None:
    rename(schema(spec, "FeasibilityRequest")["properties"], "num_cpus", "cpus")


@mutation("an operation is dropped (get_task)")
def _(spec: Spec) -> None:
    del spec["paths"]["/tasks/{task_id}/"]


@mutation("an operation is added (list_actors)")
def _(spec: Spec) -> None:
    added = copy.deepcopy(spec["paths"]["/tasks/"])
    added["get"]["operationId"] = "list_actors"
    spec["paths"]["/actors/"] = added


@mutation("an operation is renamed (get_node → fetch_node)")
def _(spec: Spec) -> None:
    operation(spec, "get_node")["operationId"] = "fetch_node"


@mutation("an alias is dropped (list_job_logs)")
def _(spec: Spec) -> None:
    del operation(spec, "get_job_logs")["x-aliases"]


@mutation("a path is renamed (/gpu_status/ → /gpus/)")
def _(spec: Spec) -> None:
    rename(spec["paths"], "/gpu_status/", "/gpus/")


@mutation("a trailing slash is dropped (/jobs/{job_id}/stop)")
def _(spec: Spec) -> None:
    rename(spec["paths"], "/jobs/{job_id}/stop/", "/jobs/{job_id}/stop")


@mutation("a method is changed (update_runtime_policy: PATCH → PUT)")
def _(spec: Spec) -> None:
    rename(spec["paths"]["/resources/policy/"], "patch", "put")


@mutation("a type in an answer is changed (Node.start_time_ms: integer → string)")
def _(spec: Spec) -> None:
    field = schema(spec, "Node")["properties"]["start_time_ms"]
    del field["format"]
    field.update(type="string", example="1767225600000")


@mutation("a type in a body is changed (replicas: integer → string)")
def _(spec: Spec) -> None:
    replicas = schema(spec, "FeasibilityRequest")["properties"]["replicas"]
    del replicas["minimum"], replicas["default"]
    replicas.update(type="string", example="2")


@mutation("a success status is changed (stop_job: 200 → 202)")
def _(spec: Spec) -> None:
    rename(operation(spec, "stop_job")["responses"], "200", "202")


@mutation("an error status is dropped (get_job: 404)")
def _(spec: Spec) -> None:
    del operation(spec, "get_job")["responses"]["404"]


@mutation("an answer's schema is exchanged (list_nodes: Job)")
def _(spec: Spec) -> None:
    content = operation(spec, "list_nodes")["responses"]["200"]["content"]
    content["application/json"]["schema"]["items"] = {"$ref": "#/components/schemas/Job"}


@mutation("an answer is no list any more (list_tasks)")
def _(spec: Spec) -> None:
    content = operation(spec, "list_tasks")["responses"]["200"]["content"]
    content["application/json"]["schema"] = {"$ref": "#/components/schemas/Task"}


@mutation("an error's shape is changed (ErrorBody.detail: string → object)")
def _(spec: Spec) -> None:
    detail = {"$ref": "#/components/schemas/JsonObject", "description": "What.", "example": {"why": "so"}}
    schema(spec, "ErrorBody")["properties"]["detail"] = detail
    for response in spec["components"]["responses"].values():
        example = response["content"]["application/json"]["example"]
        if isinstance(example.get("detail"), str):
            example["detail"] = {"why": "so"}


@mutation("a field of a body becomes required (num_gpus)")
def _(spec: Spec) -> None:
    request = schema(spec, "FeasibilityRequest")
    request["required"].append("num_gpus")
    request["properties"]["num_gpus"].pop("default")


@mutation("a field of a body becomes optional (kind)")
def _(spec: Spec) -> None:
    del schema(spec, "FeasibilityRequest")["required"]


@mutation("a field may be null no more (Job.error_type)")
def _(spec: Spec) -> None:
    schema(spec, "Job")["properties"]["error_type"]["type"] = "string"


@mutation("an enum's value is renamed (JobStatus: SUCCEEDED → SUCCESS)")
def _(spec: Spec) -> None:
    schema(spec, "JobStatus")["enum"] = ["PENDING", "RUNNING", "STOPPED", "SUCCESS", "FAILED"]


@mutation("an enum gains a value that the agent must take (WorkloadKind: pipeline)")
def _(spec: Spec) -> None:
    schema(spec, "WorkloadKind")["enum"].append("pipeline")


@mutation("a parameter moves (use_cache: query → header)")
def _(spec: Spec) -> None:
    spec["components"]["parameters"]["UseCache"]["in"] = "header"


@mutation("a parameter is renamed (page_size → limit)")
def _(spec: Spec) -> None:
    spec["components"]["parameters"]["PageSize"]["name"] = "limit"


@mutation("a bound is moved (page: from 0)")
def _(spec: Spec) -> None:
    spec["components"]["parameters"]["Page"]["schema"]["minimum"] = 0


@mutation("ids may be longer (ResourceId: 100 → 200)")
def _(spec: Spec) -> None:
    schema(spec, "ResourceId")["maxLength"] = 200


@mutation("a default is changed (num_cpus: 1 → 4096)")
def _(spec: Spec) -> None:
    schema(spec, "FeasibilityRequest")["properties"]["num_cpus"]["default"] = 4096.0


@mutation("an operation's security is lifted (health_check)")
def _(spec: Spec) -> None:
    health = operation(spec, "health_check")
    health["security"] = [{}, *health["security"]]


@mutation("the token goes into another header (X-Agent-Token)")
def _(spec: Spec) -> None:
    spec["components"]["securitySchemes"]["agentToken"]["name"] = "X-Agent-Token"


@mutation("an answer's content type is changed (get_job_logs: text/plain)")
def _(spec: Spec) -> None:
    rename(operation(spec, "get_job_logs")["responses"]["200"]["content"], "application/json", "text/plain")


@mutation("a body's content type is changed (check_feasibility: a form)")
def _(spec: Spec) -> None:
    content = operation(spec, "check_feasibility")["requestBody"]["content"]
    rename(content, "application/json", "application/x-www-form-urlencoded")


# Which operations a mutation touches


def without_references(spec: Spec, node: Any) -> Any:
    if isinstance(node, list):
        return [without_references(spec, item) for item in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        target: Any = spec
        for part in node["$ref"].removeprefix("#/").split("/"):
            target = target[part]
        node = {**target, **{key: value for key, value in node.items() if key != "$ref"}}
    return {key: without_references(spec, value) for key, value in node.items()}


def operations(spec: Spec) -> dict[str, Any]:
    schemes = spec["components"]["securitySchemes"]
    return {
        item[method]["operationId"]: (path, method, item.get("parameters"), item[method], schemes)
        for path, item in without_references(spec, spec["paths"]).items()
        for method in METHODS
        if method in item
    }


def touched(before: Spec, after: Spec) -> list[str]:
    """Return the operations that a change touches; only a few where it touches most."""
    old, new = operations(before), operations(after)
    found = [name for name in new if old.get(name) != new[name]]
    return found if len(found) <= 10 else [*found[:2], "check_feasibility", "get_job"]


# Running it


class Outcome(NamedTuple):
    name: str
    check_generated: bool
    tests: str
    seconds: float

    @property
    def found(self) -> bool:
        return self.check_generated or bool(self.tests)


@contextmanager
def tree(spec: Spec) -> Iterator[Path]:
    """Yield a copy of this tree with another spec, as JSON, which is YAML too."""
    with tempfile.TemporaryDirectory(prefix="mutate-spec-") as folder:
        root = Path(folder)
        for name in COPIED:
            if (ROOT / name).is_dir():
                shutil.copytree(ROOT / name, root / name, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(ROOT / name, root / name)
        (ROOT / ".cache").mkdir(exist_ok=True)
        (root / ".cache").symlink_to(ROOT / ".cache")
        (root / "spec" / "openapi.yaml").write_text(json.dumps(spec, indent=1), encoding="utf-8")
        yield root


def run(root: Path, *command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    variables = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    return subprocess.run(
        [sys.executable, *command],
        cwd=root,
        env=variables | {"PYTHONDONTWRITEBYTECODE": "1"} | environment,
        capture_output=True,
        text=True,
        check=False,
    )


def failures(root: Path, checks: dict[str, str], environment: dict[str, str]) -> Counter[str]:
    """Return how many of some contract tests fail, by what they check."""
    report = root / f"{next(iter(checks))}.xml"
    files = [f"tests/contract/{name}.py" for name in checks]
    options = ("-q", "-p", "no:cacheprovider", f"--junitxml={report}")
    done = run(root, "-m", "pytest", *options, *files, **environment)
    failed: Counter[str] = Counter()
    for case in ElementTree.parse(report).iter("testcase") if report.exists() else ():
        found = [*case.findall("failure"), *case.findall("error")]
        if found:
            # Of a test that walks a table, each row that fails counts, and what sums them up does not.
            rows = [one for one in found if not one.get("message", "").startswith("contains ")]
            # A module that can't be imported is a case without a class.
            where = f"{case.get('classname')}.{case.get('name')}"
            failed[checks[where.partition("tests.contract.")[2].partition(".")[0]]] += max(1, len(rows))
    if not failed and done.returncode not in (0, 5):
        raise RuntimeError(f"the tests did not run:\n{done.stdout}{done.stderr}")
    if os.environ.get("VERBOSE"):
        print(done.stdout, file=sys.stderr)
    return failed


def contract_tests(root: Path, ready_file: Path, names: Sequence[str] | None) -> str:
    """Return which contract tests fail, as words; empty if none do."""
    environment = {"SYNAPSE_TEST_AGENT": str(ready_file)}
    if names is not None:
        environment["SYNAPSE_TEST_OPERATIONS"] = " ".join(names)
    # Those of the client don't ask the agent, so that they can't get in the way of the others.
    with ThreadPoolExecutor(2) as pool:
        found = pool.map(lambda checks: failures(root, checks, environment), (CLIENT_CHECKS, AGENT_CHECKS))
    return ", ".join(f"{check} ({count})" for failed in found for check, count in failed.items())


def outcome(name: str, before: Spec, change: Callable[[Spec], None], ready_file: Path) -> Outcome:
    started = time.monotonic()
    after = copy.deepcopy(before)
    change(after)
    names = touched(before, after) if after != before else None
    with tree(after) as root:
        stale = run(root, "-m", "tools.codegen", "--check").returncode != 0
        generated = run(root, "-m", "tools.codegen")
        if generated.returncode:
            reason = generated.stderr.strip().splitlines()[-1].removeprefix("error: ")
            return Outcome(name, stale, f"{REFUSED}: {reason}", time.monotonic() - started)
        tests = contract_tests(root, ready_file, names)
    return Outcome(name, stale, tests, time.monotonic() - started)


def show(number: int, found: Outcome) -> None:
    stale = "found" if found.check_generated else "—"
    print(f"| {number} | {found.name} | {stale} | {found.tests or '—'} | {found.seconds:.0f} s |", flush=True)


def main(words: Sequence[str]) -> int:
    sys.path[:0] = [str(ROOT / name) for name in ("tests", "src", "generated")]
    from running_agent import PLUGIN_OPTIONS, running_agent  # type: ignore[import-not-found]

    before = YAML(typ="safe").load((ROOT / "spec" / "openapi.yaml").read_text(encoding="utf-8"))
    chosen = [name for name in MUTATIONS if not words or any(word in name for word in words)]
    outcomes: list[Outcome] = []
    with running_agent(*PLUGIN_OPTIONS) as agent:
        agent.http.patch("resources/policy/", json={"max_concurrent_jobs": 0}).raise_for_status()
        ready_file = agent.tmp / "ready.json"
        print("| | mutation | check-generated | contract tests, once generated anew | |")
        print("|---|---|---|---|---|", flush=True)
        control = outcome("nothing is changed", before, lambda _: None, ready_file)
        show(0, control)
        if control.found:
            print("\nWhere nothing is changed, nothing may be found.", file=sys.stderr)
            return 1
        for number, name in enumerate(chosen, 1):
            outcomes.append(outcome(name, before, MUTATIONS[name], ready_file))
            show(number, outcomes[-1])
    survived = [found.name for found in outcomes if not found.found]
    stale = sum(found.check_generated for found in outcomes)
    refused = sum(found.tests.startswith(REFUSED) for found in outcomes)
    tests = sum(bool(found.tests) for found in outcomes) - refused
    print(f"\n{len(outcomes)} mutations. check-generated finds {stale}.", end=" ")
    print(f"With the client generated anew, contract tests find {tests}, and {refused} can't be generated.")
    for name in survived:
        print(f"survived: {name}", file=sys.stderr)
    return 1 if survived else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
