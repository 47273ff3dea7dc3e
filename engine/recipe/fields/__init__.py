"""The sections of a recipe, one file for each group of fields. `engine.recipe.schema` puts them together."""
