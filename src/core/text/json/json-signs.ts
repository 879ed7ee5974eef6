/** The characters, and bytes of UTF-8, that structure JSON. No part of another character looks like one of them. */
export const QUOTE = 0x22
export const BACKSLASH = 0x5c
export const COLON = 0x3a
export const COMMA = 0x2c
export const OPEN_OBJECT = 0x7b
export const CLOSE_OBJECT = 0x7d
export const OPEN_LIST = 0x5b
export const CLOSE_LIST = 0x5d
export const MINUS = 0x2d
export const PLUS = 0x2b
export const POINT = 0x2e
export const ZERO = 0x30
export const NINE = 0x39
export const SMALL_E = 0x65
/** The last of the four blanks; nothing else that JSON has outside of strings is below. */
export const SPACE = 0x20
