//go:build linux

// Gio has a data device, too, for the clipboard. It destroys all offers but the
// clipboard's, at once when a drag enters and again with every selection. Some
// compositors offer a drag to each data device of a program and end it when one
// of the offers is destroyed (those on wlroots, such as sway). So Gio, as of
// 0.10.3, is not told that a drag enters, which it uses for nothing else, and is
// told of a selection only after the drop that came before is done with. All of
// this may go when Gio leaves the offers of drags alone.

#include <sys/mman.h>
#include <unistd.h>
#include "drop_wayland.h"

// Gio's listener, and as it was. The rest is used by Gio's thread alone.
extern const struct wl_data_device_listener gio_data_device_listener;
static struct wl_data_device_listener own;

static int over, dropped; // a drag is over the window, or was dropped on it

static struct {
	void *data;
	struct wl_data_device *device; // NULL: none is held back
	struct wl_data_offer *offer;
} selection;

static void tell_selection(void) {
	struct wl_data_device *device = selection.device;
	selection.device = NULL;
	if (device)
		own.selection(selection.data, device, selection.offer);
}

static void on_enter(void *data, struct wl_data_device *device, uint32_t serial, struct wl_surface *surface, wl_fixed_t x, wl_fixed_t y,
                     struct wl_data_offer *offer) {
	over = 1;
}

static void on_leave(void *data, struct wl_data_device *device) {
	over = 0;
	if (!dropped)
		tell_selection();
}

static void on_drop(void *data, struct wl_data_device *device) {
	dropped = 1;
}

static void on_selection(void *data, struct wl_data_device *device, struct wl_data_offer *offer) {
	selection.data = data;
	selection.device = device;
	selection.offer = offer;
	if (!over && !dropped)
		tell_selection();
}

static void on_done(void *data, struct wl_callback *callback, uint32_t serial) {
	wl_callback_destroy(callback);
	dropped = 0;
	if (!over)
		tell_selection();
}

static const struct wl_callback_listener done_listener = {.done = on_done};

void duet_offers_done(struct wl_display *display) {
	struct wl_callback *callback = wl_display_sync(display); // Gio's thread hears of it
	if (callback)
		wl_callback_add_listener(callback, &done_listener, NULL);
}

void duet_spare_offers(void) {
	if (own.selection)
		return; // already
	uintptr_t size = sysconf(_SC_PAGESIZE), begin = (uintptr_t)&gio_data_device_listener, end = begin + sizeof gio_data_device_listener;
	begin -= begin % size;
	if (mprotect((void *)begin, end - begin, PROT_READ | PROT_WRITE))
		return;
	own = gio_data_device_listener;
	struct wl_data_device_listener *listener = (struct wl_data_device_listener *)&gio_data_device_listener;
	listener->enter = on_enter;
	listener->leave = on_leave;
	listener->drop = on_drop;
	listener->selection = on_selection;
	mprotect((void *)begin, end - begin, PROT_READ);
}
