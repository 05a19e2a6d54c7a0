# Passed as CMAKE_PROJECT_INCLUDE when ROS 2 comes from pip.
#
# The exported CMake targets of those wheels name include folders of the machine
# that built them, and CMake refuses a target whose include folders do not exist.
# Once the directory is fully read, this drops the missing ones.

function(lam_drop_missing_includes)
  get_directory_property(targets IMPORTED_TARGETS)
  foreach(target IN LISTS targets)
    get_target_property(folders ${target} INTERFACE_INCLUDE_DIRECTORIES)
    if(NOT folders)
      continue()
    endif()
    set(present)
    foreach(folder IN LISTS folders)
      if(folder MATCHES "^\\$<" OR EXISTS "${folder}")
        list(APPEND present "${folder}")
      endif()
    endforeach()
    set_target_properties(${target} PROPERTIES INTERFACE_INCLUDE_DIRECTORIES "${present}")
  endforeach()
endfunction()

cmake_language(DEFER CALL lam_drop_missing_includes)
