# Script: writes the files named in LIST as raw strings into OUTPUT, by "folder/file" (host/cli/embedded.hpp).
file(STRINGS "${LIST}" paths)
set(entries)
foreach(path IN LISTS paths)
  cmake_path(GET path FILENAME file)
  cmake_path(GET path PARENT_PATH folder)
  cmake_path(GET folder FILENAME folder)
  file(READ "${path}" content)
  string(APPEND entries "    {\"${folder}/${file}\", R\"EMBEDDED(${content})EMBEDDED\"},\n")
endforeach()
file(WRITE "${OUTPUT}" "#include \"host/cli/embedded.hpp\"

namespace vissl::host {
namespace {
constexpr EmbeddedFile kFiles[] = {
${entries}};
}  // namespace

std::span<const EmbeddedFile> embedded_files() {
  return kFiles;
}

}  // namespace vissl::host
")
