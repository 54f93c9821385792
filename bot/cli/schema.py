"""The command that prints the JSON Schema of the configuration file."""

import json

import click

from bot.config.schema import FileShape


@click.command()
def schema() -> None:
    """Print the JSON Schema of feeds.yaml, for editors."""
    click.echo(schema_text(), nl=False)


def schema_text() -> str:
    """Return the JSON Schema of feeds.yaml."""
    document = FileShape.model_json_schema()
    document["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    document["title"] = "feeds.yaml of newsbell"
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"
