# What configure looks for: every finding goes to one table, every lack to one list, shown together at the end.

# RHM_FOUND(NAME, TEXT): a row of the table.
AC_DEFUN([RHM_FOUND], [rhm_table="$rhm_table
  $(printf '%-14s %s' "$1" "$2")"])

# RHM_MISSING(NAME, DEBIAN PACKAGE): a row of the table and a line of the error.
AC_DEFUN([RHM_MISSING], [RHM_FOUND([$1], [MISSING])
rhm_missing="$rhm_missing
  $(printf '%-44s %s' "$1" "$2")"
rhm_missing_packages="$rhm_missing_packages $2"])

# RHM_PKG(VAR, SPECIFICATION...): the first pkg-config package that fits, one quoted specification a word; sets
# VAR_CFLAGS, VAR_LIBS (unless the user gave them) and rhm_VAR_version, which stays empty where none was found.
AC_DEFUN([RHM_PKG], [
AC_ARG_VAR([$1_CFLAGS], [compiler flags for $1, overriding pkg-config])
AC_ARG_VAR([$1_LIBS], [linker flags for $1, overriding pkg-config])
rhm_$1_version=
rhm_$1_package=
if test -n "$[]$1_LIBS"; then
  rhm_$1_version="(given by $1_LIBS)"
elif test -n "$PKG_CONFIG"; then
  for rhm_spec in $2; do
    if "$PKG_CONFIG" --exists "$rhm_spec" 2>/dev/null; then
      rhm_$1_package=${rhm_spec%% *}
      rhm_$1_version=`"$PKG_CONFIG" --modversion "$rhm_$1_package"`
      test -n "$$1_CFLAGS" || $1_CFLAGS=`"$PKG_CONFIG" --cflags "$rhm_$1_package"`
      $1_LIBS=`"$PKG_CONFIG" --libs "$rhm_$1_package"`
      break
    fi
  done
fi])

# RHM_TRY_LINK(CFLAGS, LIBS, PROLOGUE, BODY, IF-YES, IF-NO): AC_LINK_IFELSE with these flags only for the trial.
AC_DEFUN([RHM_TRY_LINK], [
rhm_saved_CPPFLAGS=$CPPFLAGS
rhm_saved_LIBS=$LIBS
CPPFLAGS="$CPPFLAGS $1"
LIBS="$2 $LIBS"
AC_LINK_IFELSE([AC_LANG_PROGRAM([$3], [$4])], [rhm_try=yes], [rhm_try=no])
CPPFLAGS=$rhm_saved_CPPFLAGS
LIBS=$rhm_saved_LIBS
AS_IF([test $rhm_try = yes], [$5], [$6])])

# RHM_FLAG(VARIABLE, FLAG): appends a compiler flag that the compiler takes.
AC_DEFUN([RHM_FLAG], [
AC_MSG_CHECKING([whether $CC takes $2])
rhm_saved_CFLAGS=$CFLAGS
CFLAGS="$CFLAGS -Werror $2"
AC_COMPILE_IFELSE([AC_LANG_PROGRAM()], [rhm_try=yes; $1="$$1 $2"], [rhm_try=no])
CFLAGS=$rhm_saved_CFLAGS
AC_MSG_RESULT([$rhm_try])])

# RHM_FIRST_VERSION(COMMAND): the first word with a dot and a digit that a tool's --version prints.
AC_DEFUN([RHM_FIRST_VERSION], [`$1 2>/dev/null | tr -s ' ,()-' '\n' | sed -n '/^v*@<:@0-9@:>@@<:@0-9@:>@*\.@<:@0-9@:>@/{p;q;}'`])
