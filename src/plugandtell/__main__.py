"""`python -m plugandtell` is the `plugandtell` command."""

from plugandtell.cli import main

if __name__ == "__main__":
    main()
