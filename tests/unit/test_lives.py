"""Whole lives of a resource, in simulated time: whatever is lost, late or cut, nothing is done twice or forgotten."""

import asyncio
import random

import httpcore
import httpx
import pytest
from harness.api import Body, Told, client_for
from harness.simulated import simulate

from nugen_pulumi.errors import NugenError
from nugen_pulumi.operations import claims
from nugen_pulumi.operations.deployed_model import DeployedOperations
from nugen_pulumi.operations.model import ModelOperations
from nugen_pulumi.waiting.model_wait import ModelWait
from nugen_pulumi.waiting.polling import WaitPolicy
from nugen_pulumi.waiting.task_state import ONLY_POLL

BEGINS = {"POST": ("UNDEPLOYED", "DEPLOYING"), "DELETE": ("DEPLOYED", "UNDEPLOYING")}
ENDS = {"DEPLOYING": "DEPLOYED", "UNDEPLOYING": "UNDEPLOYED"}
REFUSED = ["500", "503", "429", "dropped", "slow"]
CARRIED_OUT = ["500 all the same", "dropped all the same", "hangs"]


class Api(httpx.AsyncBaseTransport):
    """
    One model, whose status lags and of whose responses some are lost.

    Its clock goes on from one operation to the next. `began` holds what began when, and `accepted` the requests that
    began something.
    """

    def __init__(self, chance, state, earlier):
        self.chance = chance
        self.faulty = chance.choice([0, 0.1, 0.3])
        self.lag = chance.choice([0, 0, 1, 4, 10])
        self.takes = {busy: chance.choice([0.05, 1, 8, 30]) for busy in ENDS}
        self.with_times = chance.random() < 0.6
        self.began = [(-1e9, state), *([(-500, earlier[0]), (-400, earlier[1])] if chance.random() < 0.3 else [])]
        self.accepted = []
        self.passed = 0.0

    async def handle_async_request(self, request):
        method, path = request.method, request.url.path
        faults = REFUSED if method == "GET" else REFUSED + CARRIED_OUT
        fault = self.chance.choice(faults) if self.chance.random() < self.faulty else ""
        await asyncio.sleep(self.chance.uniform(0.1, 3) if fault == "slow" else self.chance.uniform(0.01, 0.1))
        answer = self._polled(path) if method == "GET" else None
        if method != "GET" and (fault not in REFUSED or fault == "slow"):
            answer = self._began(method)
        if fault == "hangs":
            await asyncio.sleep(3600)
        if fault.startswith("dropped"):
            raise httpcore.ReadError("dropped")
        if fault[:1].isdigit():
            answer = httpx.Response(int(fault[:3]), json={"detail": "no"})
        return httpx.Response(answer.status_code, headers=answer.headers, stream=Body(answer.content))

    def now(self):
        return self.passed + asyncio.get_running_loop().time()

    def at(self, time):
        """Return what the model was, or is."""
        since, state = [one for one in self.began if one[0] <= time][-1]
        return ENDS[state] if state in ENDS and time >= since + self.takes[state] else state

    def _began(self, method):
        rests, busy = BEGINS[method]
        state = self.at(self.now())
        if state == rests:
            self.began.append((self.now(), busy))
            self.accepted.append(method)
            return httpx.Response(200, json="m")
        word = {ENDS[busy]: f"already {ENDS[busy]}", busy: f"already being {ENDS[busy]}"}
        return httpx.Response(400, json={"detail": word.get(state, f"Current status: {state}").lower()})

    def _polled(self, path):
        time = self.now() - self.lag
        state, busy = self.at(time), "UNDEPLOYING" if "/undeploy-model/" in path else "DEPLOYING"
        last = [began for since, began in self.began if since <= time and began in ENDS][-1:]
        result = None
        if state == busy:
            word = "PENDING"
        elif state == ENDS[busy] and (last == [busy] or busy == "DEPLOYING"):
            word = "COMPLETED"
        else:
            word, result = "FAILED", {"error": f"No active task. Model status is {state}."}
        times = {"start_time": "2024-01-01T00:00:00"} if self.with_times else {}
        return httpx.Response(200, json={"model_id": "m", "status": word, "result": result, **times})


class Process:
    """A runtime whose operation is interrupted after *cut* seconds, or never."""

    def __init__(self, api, cut):
        self.api, self.cut = api, cut

    def follow(self, model_id, policy=WaitPolicy(), goal=ONLY_POLL, *, once=False, reporter, **how):  # noqa: B008 - frozen
        async def main():
            wait = ModelWait(client_for(self.api), model_id, policy, goal, reporter=reporter, **how)
            running = asyncio.ensure_future(wait.follow(once=once))
            if self.cut is not None:
                asyncio.get_running_loop().call_later(self.cut, running.cancel)
            return await running

        outcome, took = simulate(main)
        self.api.passed += took + 0.5
        return outcome


class Life:
    """One resource and its state, as the engine keeps it."""

    def __init__(self, seed, operations, api_state, earlier, **inputs):
        random.seed(seed)  # of the jitter
        self.chance = random.Random(seed)  # noqa: S311 - for a test
        self.api = Api(self.chance, api_state, earlier)
        self.operations = operations
        self.news = {"model_id": "m", "wait": self.chance.random() < 0.6, "poll_interval_seconds": 5.0, **inputs}
        self.state = None
        self.told = []

    def goes(self, name, *args):
        """Do an operation in a process of its own, sometimes interrupted; return whether it ended well."""
        claims.CLAIMS = claims.Claims()
        cut = self.chance.choice([None, None, self.chance.uniform(0, 0.4), self.chance.uniform(0, 20)])
        operation = Told()
        operation.runtime = lambda: Process(self.api, cut)
        try:
            result = getattr(self.operations, name)(operation, *args)
        except NugenError as exc:
            self.told.append(f"{name}: {exc}")
            kept = getattr(exc, "kept", None)
            self.state = self.state if kept is None else kept[1]
            return False
        self.state = result[1] if name == "create" else result
        return True

    def goes_up(self, flag):
        """Do what `pulumi up` does, with a refresh now and then, until the model is where the program wants it."""
        for _ in range(60):
            if self.state is not None and self.chance.random() < 0.2:
                known = self.state
                if not self.goes("refresh", "m", known):
                    self.state = known
            done = (
                self.goes("create", self.news)
                if self.state is None
                else self.goes("update", "m", self.state, self.news)
            )
            if done and self.state[flag]:
                return
            self.api.passed += self.chance.choice([0, 1, 20, 100])
        raise AssertionError(f"it never came to be {flag}: {self.told}")


@pytest.mark.parametrize("tens", range(20))
def test_a_deployed_model_is_deployed_once_owned_and_undeployed_once(tens):
    for seed in range(10 * tens, 10 * tens + 10):
        life = Life(seed, DeployedOperations(), "UNDEPLOYED", ["DEPLOYING", "UNDEPLOYING"])
        life.goes_up("deployed")

        assert ["POST"] == life.api.accepted, (seed, life.told)
        assert not life.state["adopted"], (seed, life.told)

        state = life.state
        while not life.goes("delete", "m", state):
            life.api.passed += 20
        assert "UNDEPLOYED" == life.api.at(life.api.passed), (seed, life.told)
        assert ["POST", "DELETE"] == life.api.accepted, (seed, life.told)


@pytest.mark.parametrize("tens", range(10))
def test_an_undeployed_model_is_undeployed_once(tens):
    for seed in range(10 * tens, 10 * tens + 10):
        life = Life(
            seed, ModelOperations(), "DEPLOYED", ["UNDEPLOYING", "DEPLOYING"], undeploy=True, on_failure="error"
        )
        life.news["wait"] = True
        life.goes_up("undeployed")

        assert "UNDEPLOYED" == life.api.at(life.api.passed), (seed, life.told)
        assert ["DELETE"] == life.api.accepted, (seed, life.told)
