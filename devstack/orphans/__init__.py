"""No orphan code: `python -m devstack.orphans` finds what the product defines and never uses.

A function that keeps a promise and is called by tests only keeps nothing, so a use in tests is no use here.

  modules      the Python files: what each one defines and what its names stand for
  references   what a piece of code refers to, resolved by module and name
  reach        everything that can be reached from the entries (routes, commands, jobs, hooks); the rest is an orphan
  pages        templates, macros, style sheets, scripts, icons
  settings     settings and their rows in the README
  exceptions   the one list of orphans that are wanted, each with its reason

It reads the files only: nothing of the product is run. Names of attributes cannot be resolved without running, so a
method counts as used where any attribute of that name is read; a function, class or constant of a module never does.
"""
