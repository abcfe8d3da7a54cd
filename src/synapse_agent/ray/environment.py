"""The variables that an embedded Ray, and with it every job, takes over from the agent's environment."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase

from ..errors import StartupError
from ..redaction import is_secret

__all__ = ["check_patterns", "job_environment"]

# What programs need to run at all: paths, language, proxies, certificates, packages, accelerators.
_ALWAYS = (
    *("PATH", "HOME", "USER", "LOGNAME", "SHELL", "TERM", "TZ", "TMPDIR", "TMP", "TEMP", "LANG", "LANGUAGE"),
    *("LC_*", "XDG_*", "LD_LIBRARY_PATH", "VIRTUAL_ENV", "CONDA_*", "PYTHON*", "PIP_*", "UV_*", "RAY_*"),
    *("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"),
    *("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"),
    *("http_proxy", "https_proxy", "all_proxy", "no_proxy"),
    *("CUDA_*", "NVIDIA_*", "NCCL_*", "ROCM_*", "HIP_*", "HSA_*", "OMP_*", "MKL_*", "OPENBLAS_*"),
)

# They decide which cluster a Ray program uses, or are the agent's own.
_NEVER = frozenset({"RAY_ADDRESS", "RAY_AUTH_TOKEN_PATH", "SYNAPSE_AGENT_TOKEN"})

_PATTERN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\*?\Z|\*\Z")


def check_patterns(patterns: Sequence[str]) -> None:
    """Raise StartupError for a pattern that is neither a name nor the beginning of one with a `*`."""
    for pattern in patterns:
        if not _PATTERN.match(pattern):
            raise StartupError(f"--job-env: {pattern!r} must be a variable's name, or its beginning and a *")


def job_environment(environment: Mapping[str, str], allowed: Sequence[str]) -> dict[str, str]:
    """Return the variables to pass on: those that every program needs, and those that are allowed."""
    return {
        name: value
        for name, value in environment.items()
        if name not in _NEVER
        and (
            any(fnmatchcase(name, pattern) for pattern in allowed)
            or (not is_secret(name) and any(fnmatchcase(name, pattern) for pattern in _ALWAYS))
        )
    }
