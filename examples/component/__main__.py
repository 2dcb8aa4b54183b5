"""Each team's models out of service, by the same rules."""

import pulumi
from retired_fleet import RetiredFleet

config = pulumi.Config()
teams: dict[str, list[str]] = config.get_object("teams") or {
    "chat": ["support-bot-v1", "support-bot-v2"],
    "search": ["ranker-v1"],
}

for team, model_ids in teams.items():
    # `undeploy` is off unless the stack says so: a first try must not take anything out of service.
    fleet = RetiredFleet(team, model_ids=model_ids, undeploy=config.get_bool("undeploy") or False)
    pulumi.export(team, {"summary": fleet.summary, "reasons": fleet.reasons})
