"""What can be asked of runs: fields, the filter language, order, groups and columns. Nothing here draws or reads files.

`fields` says what there is, `filters` which runs, `order` and `groups` in what order, `columns` and `cells` how they
look in a table, `values` gets what a run's row does not hold. Command line and terminal app use the same.
"""
