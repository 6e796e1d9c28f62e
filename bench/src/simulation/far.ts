/** What a line takes between sockets, in nanoseconds: an assumption, there is one socket here. */
export const FAR_NS = 150;
