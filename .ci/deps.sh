#!/usr/bin/env bash
# Installs what is missing for building and running (deps.sh run) or for testing
# too (deps.sh test). Debian and Ubuntu: by apt, with sudo when not root, and
# without touching the network when nothing is missing. Elsewhere: prints what
# is missing, and fails only if a command is.
set -euo pipefail
purpose=${1:-test}

have() { command -v "$1" >/dev/null 2>&1; }
have_any() { for name in "$@"; do have "$name" && return; done; return 1; }
browser=(chromium chromium-browser google-chrome google-chrome-stable)
if [ -n "${CHROMIUM:-}" ]; then browser=("$CHROMIUM"); fi

go_version=$(GOTOOLCHAIN=local go env GOVERSION 2>/dev/null || true)
if [ "$(printf '%s\n' go1.26 "$go_version" | sort -V | head -n 1)" != go1.26 ]; then
  echo "deps: Go 1.26 or newer is missing (${go_version:-no go in PATH}): install it from https://go.dev/dl and put its bin folder into PATH" >&2
  exit 1
fi

debian() {
  local missing=()
  command_from() { have "$1" || missing+=("$2"); }
  package() { [ "$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null)" = installed ] || missing+=("$1"); }

  command_from gcc gcc
  command_from node nodejs
  package libc6-dev
  package mesa-vulkan-drivers # lavapipe, where there is no GPU, and the Vulkan loader
  # What the window is built with, and stands on.
  command_from pkg-config pkg-config
  local library
  for library in libwayland libx11 libx11-xcb libxkbcommon-x11 libegl libgles libffi libxcursor libxfixes libvulkan; do
    package "$library-dev"
  done
  if [ "$purpose" = test ]; then
    command_from git git
    command_from npm npm
    package fonts-liberation
    # A desktop without a screen, and a file manager to drag from.
    command_from Xvfb xvfb
    command_from openbox openbox
    command_from pcmanfm pcmanfm
    # The same under Wayland, and a bus for a desktop's dialogs.
    command_from sway sway
    command_from dbus-daemon dbus
    if ! have_any "${browser[@]}"; then
      if grep -q '^ID=ubuntu' /etc/os-release; then missing+=(chromium-browser); else missing+=(chromium); fi
    fi
  fi
  [ ${#missing[@]} -gt 0 ] || return 0

  local root=()
  if [ "$(id -u)" -ne 0 ]; then
    root=(sudo)
    if ! have sudo; then
      echo "deps: as root, run: apt-get update && apt-get install ${missing[*]}" >&2
      exit 1
    fi
  fi
  echo "deps: installing ${missing[*]}"
  "${root[@]}" apt-get update -q
  "${root[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get install -q -y --no-install-recommends -o DPkg::Lock::Timeout=300 "${missing[@]}"
}

elsewhere() {
  local missing=()
  have_any gcc clang cc || missing+=("a C compiler (gcc or clang)")
  have node || missing+=("Node.js 18 or newer")
  if [ "$purpose" = test ]; then
    have git || missing+=("git")
    have npm || missing+=("npm")
    have_any "${browser[@]}" || missing+=("Chromium or Chrome in PATH, or its path in CHROMIUM")
  fi
  if [ "$(uname -s)" = Linux ] && ! pkg-config --exists x11 x11-xcb xcursor xfixes xkbcommon xkbcommon-x11 wayland-client wayland-cursor wayland-egl egl glesv2 vulkan 2>/dev/null; then
    missing+=("pkg-config and the headers of X11, xcb, Xcursor, Xfixes, xkbcommon (with X11), Wayland, EGL, GLES and Vulkan")
  fi
  if [ "$(uname -s)" = Linux ] && [ -z "$(compgen -G '/usr/share/vulkan/icd.d/*.json'; compgen -G '/etc/vulkan/icd.d/*.json')" ]; then
    echo "deps: no Vulkan driver found: install your GPU's, or Mesa's software one (Fedora: mesa-vulkan-drivers, Arch: vulkan-swrast)" >&2
  fi
  [ ${#missing[@]} -gt 0 ] || return 0
  printf 'deps: please install: %s\n' "${missing[@]}" >&2
  exit 1
}

if have apt-get && have dpkg-query; then debian; else elsewhere; fi
