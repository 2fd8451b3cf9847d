set_property(TARGET ${target} PROPERTY LINK_OPTIONS "")  # without the SDK's version script
