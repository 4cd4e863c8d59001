"""Run configs for the launchpad: of every job with a form, as YAML or JSON, most of them nearly right."""

import json
from collections.abc import Mapping
from typing import Any

import yaml
from hypothesis import strategies as st

from batch_jobs_tests.fuzz.inputs import dates, ids, jobs, parameter_names, texts, values
from batch_jobs_tests.fuzz.launchpad import Form, forms

# What fits the type of a field need not be anything that one would say.
_LIKELY: Mapping[str, st.SearchStrategy[Any]] = {
    "jobs": st.lists(jobs | texts, min_size=1, max_size=2) | st.lists(jobs, min_size=1, max_size=2),
    "workspaces": st.lists(ids, max_size=3) | st.lists(st.sampled_from(["acme", "globex"]), max_size=2),
    "run_date": dates | st.sampled_from(["", "2026-11-23"]),
    "employee_id": ids | st.just(""),
    "org_unit_id": ids | st.just(""),
    "parameters": st.dictionaries(parameter_names | texts, values | dates, max_size=2),
}


def _field(form: Form, name: str) -> st.SearchStrategy[Any]:
    return _LIKELY[name] if name in _LIKELY else st.from_type(form.config_class.model_fields[name].annotation or object)


@st.composite
def run_configs(draw: st.DrawFn) -> tuple[str, str]:
    """The name of a Dagster job, and the text of a run config for it."""
    # Half of them for the job with most to choose.
    name = draw(st.just("run_batch_jobs") | st.sampled_from([*forms()]))
    form = forms()[name]
    known = draw(st.lists(st.sampled_from([*form.config_class.model_fields]), unique=True, max_size=5))
    # Left out it means all the jobs of a night, which take ten times as long.
    if "jobs" in form.config_class.model_fields and draw(st.integers(0, 15)):
        known.append("jobs")
    fields = {field: draw(_field(form, field)) for field in known}
    if draw(st.integers(0, 3)) == 0:
        fields |= draw(st.dictionaries(st.sampled_from([*form.config_class.model_fields]) | texts, values, max_size=2))
    config = form.run_config(fields)
    if draw(st.integers(0, 9)) == 0:
        config = draw(values | st.dictionaries(st.sampled_from(["ops", "execution", "loggers"]), values))
    if draw(st.booleans()):
        return name, json.dumps(config)
    try:
        return name, yaml.safe_dump(config, allow_unicode=True)
    except yaml.YAMLError:
        return name, json.dumps(config)
