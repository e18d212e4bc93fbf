;;; emacs.el --- What eglot.client.ts and lsp-mode.client.ts share  -*- lexical-binding: t; -*-
;; Run in a batch Emacs by one of the scripts beside it, with a home that is set up as docs/editors.md says.

(require 'json)
(require 'package)
(package-initialize)

(defvar client-cases
  (let ((json-object-type 'alist) (json-array-type 'list) (json-key-type 'string))
    (json-read-from-string (getenv "MODELFILE_LINT_CASES"))))
(defvar client-seen nil)
(defconst client-work default-directory)

(setq user-init-file "~/.emacs.d/init.el")
(load user-init-file)

(defun client-wait (what condition)
  "Run the event loop until CONDITION holds; signal that WHAT did not come."
  (let ((end (+ (float-time) 15)))
    (while (not (funcall condition))
      (when (> (float-time) end) (error "Waited in vain for %s" what))
      (accept-process-output nil 0.05))))

(defun client-open (name)
  "Visit the Modelfile of the case NAME, as a command would."
  (find-file (expand-file-name (concat name "/Modelfile") client-work))
  (unless (eq major-mode 'modelfile-mode) (error "The mode is %s" major-mode))
  (font-lock-ensure)
  (goto-char (point-min))
  (re-search-forward "^\\(FROM\\) ")
  (unless (eq (get-text-property (match-beginning 1) 'face) 'font-lock-keyword-face)
    (error "FROM is painted as %s" (get-text-property (match-beginning 1) 'face)))
  (run-hooks 'post-command-hook))

(defun client-see (name codes messages)
  "Write down CODES and MESSAGES of the case NAME."
  (push `(,name . ((codes . ,(vconcat (sort codes #'string<))) (messages . ,(vconcat messages))))
        client-seen))

(defun client-append (text)
  "Put TEXT behind the buffer's last line."
  (goto-char (point-max))
  (insert text))

(defun client-write (hover completion)
  "Hand over what was seen, HOVER and COMPLETION."
  (with-temp-file (getenv "MODELFILE_LINT_SEEN")
    (insert (json-encode `((cases . ,client-seen)
                           (hover . ,hover)
                           (completion . ,(vconcat (mapcar #'string-trim completion))))))))

;;; emacs.el ends here
