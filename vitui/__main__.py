"""``python -m vitui`` is ``vitui``."""

from vitui.cli import main

if __name__ == "__main__":
    main()
