/* The programs that lie in this one: the executor, which alone ever comes near a container, and the bridge to libraries. */
  .section .note.GNU-stack, "", %progbits
  .section .rodata, "a"
  .macro part name, file
  .balign 16
  .globl \name\()_begin, \name\()_end
\name\()_begin:
  .incbin "\file"
\name\()_end:
  .endm
  part inner, "inner"
  part bridge, "bridge"
