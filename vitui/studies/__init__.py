"""Studies: which variants to train with which seeds, which runs fill them, and what can be concluded.

A study is a TOML file (`definition`). `plan` makes variants of it, `cells` finds the run that fills each of them with
each seed, `launching` queues what is missing, `statistics` and `report` say what differs and how sure that is.
"""
