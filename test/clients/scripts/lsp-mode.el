;;; lsp-mode.el --- Run by lsp-mode.client.ts  -*- lexical-binding: t; -*-

(load (expand-file-name "emacs.el" (file-name-directory load-file-name)))
(require 'lsp-mode)
(require 'flymake)

;; As these are set, a batch Emacs has nobody to ask, and leaves nothing outside of the home.
(setq lsp-session-file (expand-file-name "~/.lsp-session")
      lsp-server-install-dir (expand-file-name "~/.lsp-servers/")
      lsp-auto-guess-root t
      lsp-restart 'ignore)

(defun client-diagnostics ()
  (gethash (lsp--fix-path-casing buffer-file-name) (lsp-diagnostics t)))

(defun client-codes ()
  (sort (mapcar (lambda (one) (gethash "code" one)) (client-diagnostics)) #'string<))

(defun client-messages ()
  (mapcar (lambda (one) (gethash "message" one)) (client-diagnostics)))

(defun client-mend (rule)
  "Take the first quick fix at the finding of RULE, and save."
  (let* ((one (seq-find (lambda (one) (equal (gethash "code" one) rule)) (client-diagnostics)))
         (start (gethash "start" (gethash "range" one))))
    (goto-char (lsp--position-to-point start))
    (lsp-execute-code-action
     (car (append (lsp-code-actions-at-point) nil))))
  (save-buffer))

(defun client-hover ()
  "What `lsp-describe-thing-at-point' shows."
  (lsp-describe-thing-at-point)
  (with-current-buffer "*lsp-help*" (buffer-substring-no-properties (point-min) (point-max))))

(defun client-completions ()
  "What completion offers at point."
  (let ((found (lsp-completion-at-point)))
    (mapcar #'substring-no-properties (all-completions "" (nth 2 found)))))

(dolist (case client-cases)
  (let ((rules (cdr (assoc "rules" (cdr case))))
        (rule (cdr (assoc "mend" (cdr case)))))
    (lsp-workspace-folders-add (expand-file-name (car case) client-work))
    (client-open (car case))
    ;; A batch Emacs shows no buffer, which lsp-deferred waits for.
    (lsp)
    (client-wait (format "%s; there are %s" rules (client-codes))
                 (lambda () (equal (client-codes) rules)))
    (client-see (car case) (client-codes) (client-messages))
    (when rule (client-mend rule))))

(client-open "many-cards")
(goto-char 8)
(let ((hover (client-hover)) completion)
  (client-append "parameter temperature    0.5\n\n\n\n")
  (lsp-format-buffer)
  (save-buffer)
  (client-append "PARAMETER num_")
  (setq completion (client-completions))
  (client-write hover completion)
  (set-buffer-modified-p nil))
(dolist (workspace (lsp--session-workspaces (lsp-session)))
  (with-lsp-workspace workspace (lsp--shutdown-workspace)))

;;; lsp-mode.el ends here
