"""What each operation takes, as JSON Schema without references, for fakes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

__all__ = ["REQUESTS"]

REQUESTS: Final[Mapping[str, Any]] = {
    "health_check": {"parameters": {"path": {}, "query": {}}, "bodies": {}},
    "list_jobs": {
        "parameters": {
            "path": {},
            "query": {
                "status": {
                    "type": "string",
                    "enum": ["PENDING", "RUNNING", "STOPPED", "SUCCEEDED", "FAILED"],
                },
                "metadata": {"type": "array", "items": {"type": "string", "minLength": 1, "maxLength": 1000}},
                "limit": {"type": "integer", "minimum": 1, "maximum": 1000},
                "cursor": {"type": "string", "minLength": 1, "maxLength": 500},
            },
        },
        "bodies": {},
    },
    "get_job": {
        "parameters": {
            "path": {
                "job_id": {"type": "string", "minLength": 1, "maxLength": 100, "pattern": "^[A-Za-z0-9_-]+$"}
            },
            "query": {},
        },
        "bodies": {},
    },
    "delete_job": {
        "parameters": {
            "path": {
                "job_id": {"type": "string", "minLength": 1, "maxLength": 100, "pattern": "^[A-Za-z0-9_-]+$"}
            },
            "query": {},
        },
        "bodies": {},
    },
    "get_job_logs": {
        "parameters": {
            "path": {
                "job_id": {"type": "string", "minLength": 1, "maxLength": 100, "pattern": "^[A-Za-z0-9_-]+$"}
            },
            "query": {
                "tail": {"type": "integer", "format": "int64", "minimum": 0, "maximum": 999999999999999999},
                "offset": {"type": "integer", "format": "int64", "minimum": 0, "maximum": 999999999999999999},
                "limit_bytes": {
                    "type": "integer",
                    "format": "int64",
                    "minimum": 0,
                    "maximum": 999999999999999999,
                },
            },
        },
        "bodies": {},
    },
    "stop_job": {
        "parameters": {
            "path": {
                "job_id": {"type": "string", "minLength": 1, "maxLength": 100, "pattern": "^[A-Za-z0-9_-]+$"}
            },
            "query": {},
        },
        "bodies": {},
    },
    "get_gpu_status": {"parameters": {"path": {}, "query": {}}, "bodies": {}},
    "list_nodes": {"parameters": {"path": {}, "query": {}}, "bodies": {}},
    "get_node": {
        "parameters": {
            "path": {
                "node_id": {"type": "string", "minLength": 1, "maxLength": 100, "pattern": "^[A-Za-z0-9_-]+$"}
            },
            "query": {},
        },
        "bodies": {},
    },
    "list_tasks": {
        "parameters": {
            "path": {},
            "query": {
                "job_id": {"type": "string", "minLength": 1, "maxLength": 100, "pattern": "^[A-Za-z0-9_-]+$"},
                "state": {
                    "type": "string",
                    "enum": [
                        "NIL",
                        "PENDING_ARGS_AVAIL",
                        "PENDING_NODE_ASSIGNMENT",
                        "PENDING_OBJ_STORE_MEM_AVAIL",
                        "PENDING_ARGS_FETCH",
                        "GETTING_AND_PINNING_ARGS",
                        "SUBMITTED_TO_WORKER",
                        "PENDING_ACTOR_TASK_ARGS_FETCH",
                        "PENDING_ACTOR_TASK_ORDERING_OR_CONCURRENCY",
                        "RUNNING",
                        "RUNNING_IN_RAY_GET",
                        "RUNNING_IN_RAY_WAIT",
                        "FINISHED",
                        "FAILED",
                    ],
                },
                "limit": {"type": "integer", "minimum": 1, "maximum": 10000},
            },
        },
        "bodies": {},
    },
    "get_task": {
        "parameters": {
            "path": {
                "task_id": {"type": "string", "minLength": 1, "maxLength": 100, "pattern": "^[A-Za-z0-9_-]+$"}
            },
            "query": {},
        },
        "bodies": {},
    },
    "list_serve_applications": {"parameters": {"path": {}, "query": {}}, "bodies": {}},
    "get_serve_application": {
        "parameters": {
            "path": {
                "name": {
                    "type": "string",
                    "minLength": 1,
                    "maxLength": 100,
                    "pattern": "^(?!\\.{1,2}$)[^\\x00-\\x1F\\x7F]+$",
                }
            },
            "query": {},
        },
        "bodies": {},
    },
    "delete_serve_application": {
        "parameters": {
            "path": {
                "name": {
                    "type": "string",
                    "minLength": 1,
                    "maxLength": 100,
                    "pattern": "^(?!\\.{1,2}$)[^\\x00-\\x1F\\x7F]+$",
                }
            },
            "query": {},
        },
        "bodies": {},
    },
    "list_plugin_releases": {
        "parameters": {
            "path": {},
            "query": {
                "page": {"type": "integer", "minimum": 1},
                "page_size": {"type": "integer", "minimum": 1, "maximum": 1000, "default": 100},
            },
        },
        "bodies": {},
    },
    "create_plugin_release": {
        "parameters": {"path": {}, "query": {}},
        "bodies": {
            "application/json": {
                "type": "object",
                "required": ["plugin", "version"],
                "properties": {
                    "plugin": {"type": "string", "minLength": 1},
                    "version": {"type": "string", "minLength": 1},
                },
            }
        },
    },
    "get_plugin_release": {
        "parameters": {
            "path": {
                "lookup": {
                    "type": "string",
                    "minLength": 1,
                    "maxLength": 100,
                    "pattern": "^(?!\\.{1,2}$)[^\\x00-\\x1F\\x7F]+$",
                }
            },
            "query": {},
        },
        "bodies": {},
    },
    "delete_plugin_release": {
        "parameters": {
            "path": {
                "lookup": {
                    "type": "string",
                    "minLength": 1,
                    "maxLength": 100,
                    "pattern": "^(?!\\.{1,2}$)[^\\x00-\\x1F\\x7F]+$",
                }
            },
            "query": {},
        },
        "bodies": {},
    },
    "run_plugin_release": {
        "parameters": {
            "path": {
                "lookup": {
                    "type": "string",
                    "minLength": 1,
                    "maxLength": 100,
                    "pattern": "^(?!\\.{1,2}$)[^\\x00-\\x1F\\x7F]+$",
                }
            },
            "query": {},
        },
        "bodies": {
            "application/json": {
                "type": "object",
                "required": ["action"],
                "properties": {
                    "action": {"type": "string", "minLength": 1},
                    "params": {"oneOf": [{"type": "object"}, {"type": "null"}]},
                    "requirements": {"type": ["array", "null"], "items": {"type": "string"}},
                    "job_id": {
                        "oneOf": [
                            {
                                "type": "string",
                                "minLength": 1,
                                "maxLength": 100,
                                "pattern": "^[A-Za-z0-9_-]+$",
                            },
                            {"type": "null"},
                        ]
                    },
                    "language": {"type": ["string", "null"]},
                },
            }
        },
    },
    "run_debug_plugin_release": {
        "parameters": {"path": {}, "query": {}},
        "bodies": {
            "application/json": {
                "type": "object",
                "required": ["action"],
                "properties": {
                    "action": {"type": "string", "minLength": 1},
                    "params": {"oneOf": [{"type": "object"}, {"type": "null"}]},
                    "plugin_path": {"type": ["string", "null"]},
                    "config": {"oneOf": [{"type": "object"}, {"type": "null"}]},
                    "modules": {
                        "oneOf": [
                            {"type": "object", "additionalProperties": {"type": "string"}},
                            {"type": "null"},
                        ]
                    },
                    "requirements": {"type": ["array", "null"], "items": {"type": "string"}},
                    "job_id": {
                        "oneOf": [
                            {
                                "type": "string",
                                "minLength": 1,
                                "maxLength": 100,
                                "pattern": "^[A-Za-z0-9_-]+$",
                            },
                            {"type": "null"},
                        ]
                    },
                    "language": {"type": ["string", "null"]},
                },
            }
        },
    },
    "list_containers": {
        "parameters": {
            "path": {},
            "query": {
                "page": {"type": "integer", "minimum": 1},
                "page_size": {"type": "integer", "minimum": 1, "maximum": 1000, "default": 100},
            },
        },
        "bodies": {},
    },
    "create_container": {
        "parameters": {"path": {}, "query": {}},
        "bodies": {
            "application/json": {
                "type": "object",
                "properties": {
                    "plugin_release": {"type": ["string", "null"], "minLength": 1},
                    "model": {"type": ["integer", "null"]},
                    "params": {"oneOf": [{"type": "object"}, {"type": "null"}]},
                    "envs": {
                        "oneOf": [
                            {"type": "object", "additionalProperties": {"type": "string"}},
                            {"type": "null"},
                        ]
                    },
                    "metadata": {"oneOf": [{"type": "object"}, {"type": "null"}]},
                    "labels": {
                        "oneOf": [
                            {"type": "object", "additionalProperties": {"type": "string"}},
                            {"type": "null"},
                        ]
                    },
                    "kind": {
                        "oneOf": [
                            {"type": "string", "enum": ["plugin_runtime", "code_server"]},
                            {"type": "null"},
                        ]
                    },
                    "backend_container_id": {"type": ["integer", "string", "null"]},
                },
            },
            "multipart/form-data": {
                "type": "object",
                "properties": {
                    "plugin_release": {"type": ["string", "null"], "minLength": 1},
                    "model": {"type": ["integer", "null"]},
                    "params": {"oneOf": [{"type": "object"}, {"type": "null"}]},
                    "envs": {
                        "oneOf": [
                            {"type": "object", "additionalProperties": {"type": "string"}},
                            {"type": "null"},
                        ]
                    },
                    "metadata": {"oneOf": [{"type": "object"}, {"type": "null"}]},
                    "labels": {
                        "oneOf": [
                            {"type": "object", "additionalProperties": {"type": "string"}},
                            {"type": "null"},
                        ]
                    },
                    "kind": {
                        "oneOf": [
                            {"type": "string", "enum": ["plugin_runtime", "code_server"]},
                            {"type": "null"},
                        ]
                    },
                    "backend_container_id": {"type": ["integer", "string", "null"]},
                    "file": {"type": "string", "format": "binary"},
                },
                "required": ["file"],
            },
        },
    },
    "get_container": {
        "parameters": {
            "path": {
                "container_id": {
                    "anyOf": [
                        {"type": "integer", "minimum": 0},
                        {"type": "string", "minLength": 1, "maxLength": 100, "pattern": "^[A-Za-z0-9_-]+$"},
                    ]
                }
            },
            "query": {},
        },
        "bodies": {},
    },
    "update_container": {
        "parameters": {
            "path": {
                "container_id": {
                    "anyOf": [
                        {"type": "integer", "minimum": 0},
                        {"type": "string", "minLength": 1, "maxLength": 100, "pattern": "^[A-Za-z0-9_-]+$"},
                    ]
                }
            },
            "query": {},
        },
        "bodies": {
            "application/json": {
                "type": "object",
                "required": ["status"],
                "properties": {"status": {"type": "string", "minLength": 1}},
            }
        },
    },
    "delete_container": {
        "parameters": {
            "path": {
                "container_id": {
                    "anyOf": [
                        {"type": "integer", "minimum": 0},
                        {"type": "string", "minLength": 1, "maxLength": 100, "pattern": "^[A-Za-z0-9_-]+$"},
                    ]
                }
            },
            "query": {},
        },
        "bodies": {},
    },
    "list_docker_containers": {"parameters": {"path": {}, "query": {}}, "bodies": {}},
    "create_docker_container": {
        "parameters": {"path": {}, "query": {}},
        "bodies": {
            "application/json": {
                "type": "object",
                "required": ["plugin_release"],
                "properties": {
                    "plugin_release": {"type": "string", "minLength": 1},
                    "params": {"oneOf": [{"type": "object"}, {"type": "null"}]},
                    "envs": {
                        "oneOf": [
                            {"type": "object", "additionalProperties": {"type": "string"}},
                            {"type": "null"},
                        ]
                    },
                    "metadata": {"oneOf": [{"type": "object"}, {"type": "null"}]},
                    "labels": {
                        "oneOf": [
                            {"type": "object", "additionalProperties": {"type": "string"}},
                            {"type": "null"},
                        ]
                    },
                },
            }
        },
    },
    "get_docker_container": {
        "parameters": {
            "path": {
                "container_id": {
                    "type": "string",
                    "minLength": 1,
                    "maxLength": 100,
                    "pattern": "^[A-Za-z0-9_-]+$",
                }
            },
            "query": {},
        },
        "bodies": {},
    },
    "delete_docker_container": {
        "parameters": {
            "path": {
                "container_id": {
                    "type": "string",
                    "minLength": 1,
                    "maxLength": 100,
                    "pattern": "^[A-Za-z0-9_-]+$",
                }
            },
            "query": {},
        },
        "bodies": {},
    },
    "stop_docker_container": {
        "parameters": {
            "path": {
                "container_id": {
                    "type": "string",
                    "minLength": 1,
                    "maxLength": 100,
                    "pattern": "^[A-Za-z0-9_-]+$",
                }
            },
            "query": {},
        },
        "bodies": {},
    },
    "start_docker_container": {
        "parameters": {
            "path": {
                "container_id": {
                    "type": "string",
                    "minLength": 1,
                    "maxLength": 100,
                    "pattern": "^[A-Za-z0-9_-]+$",
                }
            },
            "query": {},
        },
        "bodies": {},
    },
    "get_build_status": {
        "parameters": {
            "path": {
                "build_id": {
                    "type": "string",
                    "minLength": 1,
                    "maxLength": 100,
                    "pattern": "^[A-Za-z0-9_-]+$",
                }
            },
            "query": {},
        },
        "bodies": {},
    },
    "get_cluster_resources": {
        "parameters": {"path": {}, "query": {"use_cache": {"type": "boolean", "default": True}}},
        "bodies": {},
    },
    "check_feasibility": {
        "parameters": {"path": {}, "query": {}},
        "bodies": {
            "application/json": {
                "type": "object",
                "required": ["kind"],
                "properties": {
                    "kind": {"type": "string", "enum": ["job", "serve", "container", "task"]},
                    "num_cpus": {"type": ["number", "null"], "minimum": 0, "default": 1.0},
                    "num_gpus": {"type": ["number", "null"], "minimum": 0, "default": 0.0},
                    "memory_bytes": {"type": ["integer", "null"], "format": "int64", "minimum": 0},
                    "replicas": {"type": ["integer", "null"], "minimum": 1, "default": 1},
                    "metadata": {"oneOf": [{"type": "object"}, {"type": "null"}]},
                },
            }
        },
    },
    "get_runtime_policy": {"parameters": {"path": {}, "query": {}}, "bodies": {}},
    "update_runtime_policy": {
        "parameters": {"path": {}, "query": {}},
        "bodies": {
            "application/json": {
                "type": "object",
                "properties": {
                    "max_concurrent_jobs": {"type": "integer", "minimum": 0},
                    "max_concurrent_serve_replicas": {"type": "integer", "minimum": 0},
                    "gatekeeping_enabled": {"type": "boolean"},
                    "cpu_max_utilization_percent": {"type": "number", "minimum": 0, "maximum": 100},
                    "memory_max_utilization_percent": {"type": "number", "minimum": 0, "maximum": 100},
                    "gpu_max_utilization_percent": {"type": "number", "minimum": 0, "maximum": 100},
                    "gpu_max_memory_percent": {"type": "number", "minimum": 0, "maximum": 100},
                    "max_concurrent_ray_jobs": {"type": "integer", "minimum": 0},
                    "resource_cache_ttl_seconds": {"type": "number", "minimum": 0},
                },
            }
        },
    },
    "get_compose_config": {"parameters": {"path": {}, "query": {}}, "bodies": {}},
    "get_system_status": {"parameters": {"path": {}, "query": {}}, "bodies": {}},
    "update_system": {
        "parameters": {"path": {}, "query": {}},
        "bodies": {
            "application/json": {
                "oneOf": [
                    {
                        "type": "object",
                        "properties": {
                            "api_tag": {"type": ["string", "null"], "minLength": 1},
                            "worker_tag": {"type": ["string", "null"], "minLength": 1},
                        },
                    },
                    {"type": "null"},
                ]
            }
        },
    },
    "restart_system": {"parameters": {"path": {}, "query": {}}, "bodies": {}},
}
"""By operationId: `parameters`, by place (path, query) and name, and `bodies`, by media type."""
