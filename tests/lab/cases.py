"""The lab's scenarios for scripts/bench: NAME runs minuteswarm, NAME.SYSTEM another system over the same lines."""
import results
import rivals
import run

SYSTEMS = {"": run.Swarm, **{f".{name}": system for name, system in rivals.SYSTEMS.items()}}


def with_viewers(plan, wanted):
    """The same mixture of lines and as many arrivals a second, with so many viewers or, for whole shares, a few more or less."""
    times = wanted / sum(spec["count"] for spec in plan["viewers"])
    viewers = [{**spec, "count": max(1, round(spec["count"] * times))} for spec in plan["viewers"]]
    arrivals = plan.get("arrivals", {})
    about = f"{plan['about']}; here {sum(spec['count'] for spec in viewers)} viewers, who come at the same pace"
    return {**plan, "about": about, "viewers": viewers, "settle": plan["settle"] * max(times, 1),
            "arrivals": {**arrivals, "within": arrivals.get("within", 0) * times}}


def case_of(name, system):
    def measured(case, options):
        plan = run.scenario(name)
        if options.lab_viewers:
            plan = with_viewers(plan, options.lab_viewers)
        if options.lab_seconds:
            plan["seconds"] = options.lab_seconds
        specs = (plan["source"], *plan["viewers"])
        run.prepare(nat=any(spec.get("nat", "none") != "none" for spec in specs))
        one = run.Run(case, plan, system)
        one.go()
        one.read()
        return results.of(one)

    return measured


CASES = {name + suffix: case_of(name, system) for suffix, system in SYSTEMS.items() for name in run.names()}
USUAL = [name for name in run.names() if name != "smoke"]
COMPARED = [name + suffix for name in USUAL for suffix in SYSTEMS]
