target_link_options(${target} PRIVATE "LINKER:-z,notext")
