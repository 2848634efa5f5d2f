"""The templates that come with the product, as YAML files beside this one."""
