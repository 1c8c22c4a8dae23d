// Draws icons of 16 px, one stroke, in the colour of the text. Text always stands beside an icon or
// names its button.

/**
 * @param {string} path
 * @returns {(props: import('preact').SVGAttributes<SVGSVGElement>) => import('preact').JSX.Element}
 */
const icon =
  (path, width = 1.5) =>
  (props) => (
    <svg
      viewBox="0 0 16 16"
      width="16"
      height="16"
      fill="none"
      stroke="currentColor"
      stroke-width={width}
      stroke-linecap="round"
      stroke-linejoin="round"
      aria-hidden="true"
      class="icon"
      {...props}
    >
      <path d={path} />
    </svg>
  );

export const ActiveIcon = icon("M8 1.75a6.25 6.25 0 1 1 0 12.5a6.25 6.25 0 0 1 0-12.5M5.3 8.2l1.9 1.9l3.6-4");
export const DisabledIcon = icon("M8 1.75a6.25 6.25 0 1 1 0 12.5a6.25 6.25 0 0 1 0-12.5M3.7 12.3l8.6-8.6");
export const ExpiredIcon = icon(
  "M8 1.75a6.25 6.25 0 1 1 0 12.5a6.25 6.25 0 0 1 0-12.5M5.8 5.8l4.4 4.4M10.2 5.8l-4.4 4.4",
);
export const WaitingIcon = icon("M8 1.75a6.25 6.25 0 1 1 0 12.5a6.25 6.25 0 0 1 0-12.5M8 4.6V8l2.3 1.6");
export const DeletedIcon = icon("M2.75 4.25h10.5M6.25 4V2.5h3.5V4M4 4.5l.7 9h6.6l.7-9M6.75 7v4M9.25 7v4");
export const PersonIcon = icon(
  "M8 2.25a2.75 2.75 0 1 1 0 5.5a2.75 2.75 0 0 1 0-5.5M2.75 13.75c.5-2.6 2.6-4 5.25-4s4.75 1.4 5.25 4",
);
export const LockIcon = icon("M4 7.25h8v6H4zM5.5 7V5a2.5 2.5 0 0 1 5 0v2");
export const ShieldIcon = icon("M8 1.75l5 1.9v4.1c0 3-2.1 5.2-5 6.4c-2.9-1.2-5-3.4-5-6.4V3.65zM8 5v3.2M8 10.5v.1");
export const WarningIcon = icon("M8 2.2l6.2 11H1.8zM8 6.4v3M8 11.4v.1");
export const InfoIcon = icon("M8 1.75a6.25 6.25 0 1 1 0 12.5a6.25 6.25 0 0 1 0-12.5M8 7.4v3.6M8 5v.1");
export const CopyIcon = icon(
  "M6 5.5h6.5a.75.75 0 0 1 .75.75v7a.75.75 0 0 1-.75.75H6a.75.75 0 0 1-.75-.75v-7A.75.75 0 0 1 6 5.5M3 10.5h-.25V2.75A.75.75 0 0 1 3.5 2H10v.5",
);
export const TickIcon = icon("M3 8.6l3.3 3.3L13 4.8");
export const CrossIcon = icon("M3.75 3.75l8.5 8.5M12.25 3.75l-8.5 8.5");
export const PlusIcon = icon("M8 3v10M3 8h10");
export const SearchIcon = icon("M7 2.25a4.75 4.75 0 1 1 0 9.5a4.75 4.75 0 0 1 0-9.5M10.5 10.5l3.25 3.25");
export const MoreIcon = icon("M3 8h.01M8 8h.01M13 8h.01", 2.5);
export const DownIcon = icon("M4 6.25l4 4l4-4");
export const AscendingIcon = icon("M8 12.5v-9M4.5 7L8 3.5L11.5 7");
export const DescendingIcon = icon("M8 3.5v9M4.5 9L8 12.5L11.5 9");
export const BackIcon = icon("M10 3.5L5.5 8l4.5 4.5");
export const NextIcon = icon("M6 3.5L10.5 8L6 12.5");

/** Draws the favicon's key in place. */
export const Mark = () => (
  <svg viewBox="0 0 32 32" width="28" height="28" aria-hidden="true" class="mark">
    <rect width="32" height="32" rx="8" />
    <g fill="none" stroke-width="2.6" stroke-linecap="round" stroke-linejoin="round">
      <circle cx="11" cy="16" r="4.7" />
      <path d="M15.7 16H25v4.2M20.6 16v3" />
    </g>
  </svg>
);
