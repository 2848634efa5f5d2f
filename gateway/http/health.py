"""Routes for probes and figures: /healthz, /readyz, /health, /metrics."""

from collections.abc import Mapping

from fastapi import APIRouter
from starlette.responses import JSONResponse, Response

from core.kernel.clock import Clock, to_iso
from gateway.health import Check, Readiness
from gateway.metrics import Metrics
from gateway.supervisor import Supervisor


def health_router(
    readiness: Readiness, metrics: Metrics, supervisor: Supervisor, clock: Clock
) -> APIRouter:
    """Build the routes that need no credential and tell no secret."""
    router = APIRouter(tags=["health"])

    @router.get("/healthz")
    async def healthz() -> dict[str, str]:
        """Tell that the process lives; touches nothing else."""
        return {"status": "ok"}

    @router.get("/readyz", responses={503: {"description": "A part is not ready"}})
    async def readyz() -> Response:
        """Tell whether commands can be taken now, and which part is in the way."""
        checks = await readiness.check()
        is_ready = all(check.is_ok for check in checks.values())
        return JSONResponse(
            {"status": "ready" if is_ready else "not_ready", "checks": _shown(checks)},
            status_code=200 if is_ready else 503,
            headers={} if is_ready else {"retry-after": "2"},
        )

    async def health() -> dict[str, object]:
        """Sum up the parts for people: ok, or degraded and why."""
        checks = await readiness.check()
        database = all(check.is_ok for check in checks.values())
        failing = dict(supervisor.failing)
        components = {
            "orchestrator": "degraded" if failing else "ok",
            "database": "ok" if database else "degraded",
            "workers": _state_of(checks.get("workers")),
            "channels": "ok",
        }
        is_ok = all(state == "ok" for state in components.values())
        return {
            "status": "ok" if is_ok else "degraded",
            "components": components,
            "failing": failing,
            "timestamp": to_iso(clock.now()),
        }

    router.get("/health")(health)
    router.get("/api/health", operation_id="api_health")(health)

    @router.get("/metrics", response_class=Response)
    async def prometheus() -> Response:
        """Expose all counters in the Prometheus text format."""
        return Response(
            metrics.exposition(), media_type="text/plain; version=0.0.4; charset=utf-8"
        )

    return router


def _state_of(check: Check | None) -> str:
    """Call a part degraded as well that works but asks for something to be done."""
    return "degraded" if check is not None and check.fix else "ok"


def _shown(checks: Mapping[str, Check]) -> dict[str, dict[str, object]]:
    return {
        name: {
            "ok": check.is_ok,
            "detail": check.detail,
            **({"fix": check.fix} if check.fix else {}),
        }
        for name, check in checks.items()
    }
